// One value of JSON that is being put together: containers may be filled in any order.

/// A node of the tree that an encoder fills. Confined to the thread that encodes.
final class PayloadNode {
    private enum Content {
        case nothing
        case scalar(String)
        case array([PayloadNode])
        case object([(name: String, node: PayloadNode)])
    }

    /// How deep it lies.
    let level: Int
    private var content = Content.nothing

    init(level: Int) {
        self.level = level
    }

    /// Makes it an array, unless it is one.
    func becomeArray() {
        if case .array = self.content { return }
        self.content = .array([])
    }

    /// Makes it an object, unless it is one.
    func becomeObject() {
        if case .object = self.content { return }
        self.content = .object([])
    }

    /// Makes it a value that has no members: text that is JSON.
    func become(_ scalar: String) { self.content = .scalar(scalar) }

    /// How many members it has.
    var count: Int {
        switch self.content {
        case .nothing, .scalar: 0
        case .array(let nodes): nodes.count
        case .object(let members): members.count
        }
    }

    /// A new member under a quoted name, or in place of the one that was there.
    func member(_ name: String) -> PayloadNode {
        let node = PayloadNode(level: self.level + 1)
        guard case .object(var members) = self.content else { return node }
        self.content = .nothing
        if let index = members.firstIndex(where: { $0.name == name }) {
            members[index].node = node
        } else {
            members.append((name, node))
        }
        self.content = .object(members)
        return node
    }

    /// A new element.
    func element() -> PayloadNode {
        let node = PayloadNode(level: self.level + 1)
        guard case .array(var nodes) = self.content else { return node }
        self.content = .nothing
        nodes.append(node)
        self.content = .array(nodes)
        return node
    }

    /// Writes the tree.
    func write(to text: inout String) {
        switch self.content {
        case .nothing: text += "null"
        case .scalar(let scalar): text += scalar
        case .array(let nodes):
            text += "["
            for (index, node) in nodes.enumerated() {
                if index > 0 { text += "," }
                node.write(to: &text)
            }
            text += "]"
        case .object(let members):
            text += "{"
            for (index, member) in members.enumerated() {
                if index > 0 { text += "," }
                text += member.name
                text += ":"
                member.node.write(to: &text)
            }
            text += "}"
        }
    }
}
