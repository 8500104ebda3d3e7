// What a command says besides its answer.

private import Foundation

/// Lines on standard error.
enum StandardError {
    static func write(_ line: String) {
        FileHandle.standardError.write(Data("\(line)\n".utf8))
    }
}
