// The one public error type of this module.

package import ContrailRecorder

/// An error of a context: which contexts and sites are involved, why, and what to do instead.
///
/// Two errors are equal when their codes are equal; the message is for people and may change.
public struct ContextError: Error, Hashable, Sendable {
    /// What kind of failure it is. Stable: safe to switch on and to use as a metric's label.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        /// The stable text, in lower snake case.
        public let description: String

        package init(_ description: String) {
            self.description = description
        }

        /// No app context is current.
        public static let outsideAppContext = Code("outside_app_context")
        /// No request context is current.
        public static let outsideRequestContext = Code("outside_request_context")
        /// The context was read after the scope it belongs to had ended.
        public static let contextEnded = Code("context_ended")
        /// A borrowed context was read after its owner had ended it.
        public static let borrowOutlived = Code("borrow_outlived")
        /// The context has no push left to undo.
        public static let notPushed = Code("not_pushed")
        /// The context is pushed, but is not the active one.
        public static let notActive = Code("not_active")
        /// Another task or thread made the push.
        public static let foreignPop = Code("foreign_pop")
        /// The scope belongs to another task.
        public static let notOwner = Code("not_owner")
        /// The task has no scope that could hold an imperative push.
        public static let noScope = Code("no_scope")
        /// An async teardown hook is registered, and the call is synchronous.
        public static let asyncHooks = Code("async_hooks")
        /// Teardown ran to its end, and hooks or receivers threw.
        public static let teardownFailed = Code("teardown_failed")
        /// The name is not in `g`.
        public static let missingKey = Code("missing_key")
        /// The value in `g` has another type.
        public static let wrongType = Code("wrong_type")
        /// The app has dispatched its first request: hooks, handlers and routes are registered before that.
        public static let setupFinished = Code("setup_finished")
        /// The rule of a route makes no sense as it is written.
        public static let invalidRule = Code("invalid_rule")
        /// The session of a request context that was never pushed, or whose session could not be opened.
        public static let sessionNotOpened = Code("session_not_opened")
        /// A change of a null session.
        public static let sessionUnavailable = Code("session_unavailable")
        /// A cookie cannot be sent as it is configured or filled.
        public static let invalidCookie = Code("invalid_cookie")
        /// The stream has been finished, or is being read by somebody else.
        public static let streamEnded = Code("stream_ended")
    }

    /// What kind of failure it is.
    public let code: Code
    /// What happened and what to do next, in one line.
    public let message: String
    /// What hooks and receivers threw, in order of execution; only with ``Code/teardownFailed``.
    public let errors: [any Error]
    /// The error that was on its way out when this one took its place; only from a dispatch or a copied function.
    public let replaced: (any Error)?
    /// The `#fileID` of the call that failed; of the property, for those of ``Current``, which cannot know their callers.
    public let fileID: String
    /// The line of the call that failed.
    public let line: Int

    package init(
        _ code: Code,
        _ message: String,
        errors: [any Error] = [],
        replacing replaced: (any Error)? = nil,
        site: Site
    ) {
        self.code = code
        self.message = message
        self.errors = errors
        self.replaced = replaced
        self.fileID = "\(site.fileID)"
        self.line = Int(clamping: site.line)
    }

    /// The same error, taking the place of another that was on its way out.
    func replacing(_ error: (any Error)?) -> ContextError {
        ContextError(copying: self, replaced: error)
    }

    private init(copying original: ContextError, replaced: (any Error)?) {
        self.code = original.code
        self.message = original.message
        self.errors = original.errors
        self.replaced = replaced
        self.fileID = original.fileID
        self.line = original.line
    }

    /// Compares the codes.
    public static func == (left: ContextError, right: ContextError) -> Bool {
        left.code == right.code
    }

    /// Hashes the code.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(self.code)
    }
}

extension ContextError: CustomStringConvertible {
    /// The code, the message and the site, in one line.
    public var description: String {
        "\(self.code): \(self.message) (\(self.fileID):\(self.line))"
    }
}
