// A rule such as `/orders/<int:id>`, taken apart.

package import ContrailRecorder

/// The segments of a rule: static text, `<string:name>` (or `<name>`) and `<int:name>`.
package struct RoutePattern: Sendable, Hashable {
    package enum Segment: Sendable, Hashable {
        case literal(String)
        case int(String)
        case string(String)

        /// The parameter's name; `nil` for static text.
        package var parameter: String? {
            switch self {
            case .literal: nil
            case .int(let name), .string(let name): name
            }
        }
    }

    /// What is wrong with a rule. Its description says what to write instead.
    package enum Flaw: Error, Hashable, Sendable {
        case noLeadingSlash(rule: String)
        case unbalancedBrackets(rule: String, segment: String)
        case partialSegment(rule: String, segment: String)
        case unknownConverter(rule: String, converter: String, name: String)
        case emptyName(rule: String, segment: String)
        case duplicateName(rule: String, name: String)
        case unreachable(rule: String, character: Character)
        case noMethods(rule: String)
    }

    /// The rule as it was written.
    package let rule: String
    /// What stands between its slashes; a rule that ends in a slash ends with an empty literal.
    package let segments: [Segment]

    package init(_ rule: String) throws(Flaw) {
        guard rule.utf8.first == UInt8(ascii: "/") else { throw .noLeadingSlash(rule: rule) }
        if let character = rule.unicodeScalars.first(where: { $0 == "?" || $0 == "#" }) {
            throw .unreachable(rule: rule, character: Character(character))
        }
        var segments: [Segment] = []
        var names: Set<String> = []
        for text in rule.utf8.dropFirst().split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false) {
            let segment = try Self.segment(String(Substring(text)), of: rule)
            if let name = segment.parameter, !names.insert(name).inserted {
                throw .duplicateName(rule: rule, name: name)
            }
            segments.append(segment)
        }
        self.rule = rule
        self.segments = segments
    }

    private static func segment(_ text: String, of rule: String) throws(Flaw) -> Segment {
        let isBracket = { (scalar: Unicode.Scalar) in scalar == "<" || scalar == ">" }
        guard text.unicodeScalars.contains(where: isBracket) else { return .literal(text) }
        var depth = 0
        for character in text.unicodeScalars {
            if character == "<" { depth += 1 } else if character == ">" { depth -= 1 }
            guard depth == 0 || depth == 1 else { throw .unbalancedBrackets(rule: rule, segment: text) }
        }
        guard depth == 0 else { throw .unbalancedBrackets(rule: rule, segment: text) }
        let scalars = text.unicodeScalars
        let inside = scalars.dropFirst().dropLast()
        guard scalars.first == "<", scalars.last == ">", !inside.contains(where: isBracket) else {
            throw .partialSegment(rule: rule, segment: text)
        }
        let parts = inside.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map {
            String(Substring($0))
        }
        guard let name = parts.last, !name.isEmpty else { throw .emptyName(rule: rule, segment: text) }
        switch parts.count == 1 ? "string" : parts[0] {
        case "string": return .string(name)
        case "int": return .int(name)
        default: throw .unknownConverter(rule: rule, converter: parts[0], name: name)
        }
    }
}

extension RoutePattern.Flaw: CustomStringConvertible {
    package var description: String {
        switch self {
        case .noLeadingSlash(let rule):
            "the rule \"\(rule)\" does not begin with a slash: write \"/\(rule)\""
        case .unbalancedBrackets(let rule, let segment):
            "the brackets of \"\(segment)\" in the rule \"\(rule)\" do not match: "
                + "write a parameter as <int:name> or <string:name>"
        case .partialSegment(let rule, let segment):
            "\"\(segment)\" in the rule \"\(rule)\" is text and a parameter in one: "
                + "give the parameter a segment of its own, or take the text apart in the route"
        case .unknownConverter(let rule, let converter, let name):
            "the rule \"\(rule)\" has the unknown converter \"\(converter)\": write <int:\(name)> or <string:\(name)>"
        case .emptyName(let rule, let segment):
            "\"\(segment)\" in the rule \"\(rule)\" has no name: write <int:name> or <string:name>"
        case .duplicateName(let rule, let name):
            "the rule \"\(rule)\" has two parameters named \"\(name)\": give each one a name of its own"
        case .unreachable(let rule, let character):
            "the rule \"\(rule)\" contains \"\(character)\", which never is in a path: "
                + "leave it out, and read the query from the request's args"
        case .noMethods(let rule):
            "the rule \"\(rule)\" is for no method: name at least one, such as [.get]"
        }
    }
}

extension ContextError {
    /// The error of a registration whose rule is flawed.
    package init(_ flaw: RoutePattern.Flaw, site: Site) {
        self.init(.invalidRule, "\(flaw)", site: site)
    }
}
