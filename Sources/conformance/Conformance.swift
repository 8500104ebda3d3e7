// The program: vector files in, one line of JSON for each vector out.

private import Contrail
private import Foundation

/// `conformance FILE…` runs the programs in vector files and prints their traces.
@main
enum Conformance {
    /// Every line of every file is read, whatever is wrong with the others.
    static func main() {
        let files = CommandLine.arguments.dropFirst()
        if files.isEmpty { self.complain("usage: conformance FILE...") }
        let results = files.map(self.run(file:))
        exit(results.isEmpty ? 2 : results.allSatisfy(\.self) ? 0 : 1)
    }

    /// Runs the vectors of a file; says whether there was nothing wrong with it.
    private static func run(file: String) -> Bool {
        let data: Data
        do { data = try Data(contentsOf: URL(fileURLWithPath: file)) } catch {
            self.complain("\(file): it cannot be read: \(error.localizedDescription)")
            return false
        }
        var isGood = true
        for (index, line) in data.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).enumerated() {
            if line.allSatisfy({ [0x20, 0x09, 0x0D].contains($0) }) { continue }
            do {
                let program = try Program(JSONDecoder().decode(Value.self, from: line))
                let trace = try Interpreter.trace(of: program)
                let line: Value = ["id": .string(program.id), "trace": .array(trace.map(Value.string))]
                try FileHandle.standardOutput.write(contentsOf: Data("\(line.text)\n".utf8))
            } catch {
                self.complain("\(file):\(index + 1): malformed: \((error as? Malformed)?.why ?? "\(error)")")
                isGood = false
            }
        }
        return isGood
    }

    private static func complain(_ message: String) {
        let line = message.split(whereSeparator: \.isNewline).joined(separator: " ")
        try? FileHandle.standardError.write(contentsOf: Data("conformance: \(line)\n".utf8))
    }
}
