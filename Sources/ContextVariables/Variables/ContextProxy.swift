// A stand-in for what is current: it finds the object anew at each access.

/// Stands for an object that a context variable, a part of its value, or a closure gives, and finds it at each access.
///
/// Members of the object are members of the proxy, and throw when there is no object: `try currentDatabase.name`. Ports
/// `PRX-01`, `PRX-02`, `PRX-05`, `PRX-06`, `LOC-05` and `LOC-06`; that a member is missing is the compiler's to say. To hand the
/// object to another thread, hand over ``object``: the proxy would look it up there. Members of the object called `object`,
/// `isBound` or `get` are reached through ``object``.
@dynamicMemberLookup
public struct ContextProxy<Object: Sendable>: Sendable {
    // A member of the proxy hides the object's member of that name: the proxy has few, with names of its own.
    private let proxyName: String
    private let proxyMessage: String?
    private let proxyFileID: StaticString
    private let proxyLine: UInt
    private let proxySource: @Sendable () throws -> Object

    /// A proxy for the value of a variable. It is bound where the variable has a value or a default.
    ///
    /// - Parameters:
    ///   - variable: The variable.
    ///   - message: Takes the place of the message of the error for an unbound proxy.
    public init(
        _ variable: ContextVariable<Object>,
        message: String? = nil,
        fileID: StaticString = #fileID,
        line: UInt = #line
    ) {
        self.init(variable.name, message: message, fileID: fileID, line: line) { try variable.get() }
    }

    /// A proxy for a part of the value of a variable. It is bound where the variable has a value or a default.
    ///
    /// - Parameters:
    ///   - variable: The variable.
    ///   - keyPath: Which part. When it is `nil`, the proxy is bound to that.
    ///   - message: Takes the place of the message of the error for an unbound proxy.
    public init<Root>(
        _ variable: ContextVariable<Root>,
        _ keyPath: any KeyPath<Root, Object> & Sendable,
        message: String? = nil,
        fileID: StaticString = #fileID,
        line: UInt = #line
    ) {
        self.init(variable.name, message: message, fileID: fileID, line: line) { try variable.get()[keyPath: keyPath] }
    }

    /// A proxy for what a closure gives. It is bound where the closure does not throw.
    ///
    /// - Parameters:
    ///   - name: What the object is, for messages.
    ///   - message: Takes the place of the message of the error for an unbound proxy.
    ///   - source: Gives the object, at each access anew.
    public init(
        _ name: String,
        message: String? = nil,
        fileID: StaticString = #fileID,
        line: UInt = #line,
        _ source: @escaping @Sendable () throws -> Object
    ) {
        self.proxyName = name
        self.proxyMessage = message
        self.proxyFileID = fileID
        self.proxyLine = line
        self.proxySource = source
    }

    /// The object itself, at this moment.
    ///
    /// Throws ``VariableError/Code/unbound`` when there is none, with the site where the proxy was made, as a property cannot
    /// know that of its caller; ``get(fileID:line:)`` does.
    public var object: Object {
        get throws(VariableError) { try self.get(fileID: self.proxyFileID, line: self.proxyLine) }
    }

    /// The object itself, at this moment. Throws ``VariableError/Code/unbound`` with the caller's site.
    public func get(fileID: StaticString = #fileID, line: UInt = #line) throws(VariableError) -> Object {
        do {
            return try self.proxySource()
        } catch {
            throw VariableError(
                .unbound,
                self.proxyMessage
                    ?? "object is not bound: \"\(self.proxyName)\" is not there; set it in this scope or an outer one (\(error))",
                fileID: fileID,
                line: line
            )
        }
    }

    /// Whether there is an object at this moment. Never throws.
    public var isBound: Bool {
        do {
            _ = try self.proxySource()
            return true
        } catch {
            return false
        }
    }

    /// A member of the object, at this moment. Throws ``VariableError/Code/unbound`` when there is no object.
    public subscript<Member>(dynamicMember keyPath: KeyPath<Object, Member>) -> Member {
        get throws(VariableError) { try self.object[keyPath: keyPath] }
    }
}
