// fuzztrail: looks for a ring, or a stored value, that recovery or the readers of a trail cannot take. `make fuzz` builds and runs it.

internal import CLibFuzzer
internal import TrailFuzzing

/// Hands libFuzzer the body that is tried; its arguments are libFuzzer's.
@main
enum FuzzTrail {
    static func main() {
        var count = CommandLine.argc
        var arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = CommandLine.unsafeArgv
        _ = LLVMFuzzerRunDriver(&count, &arguments) { data, size in
            TrailBody.shared.run(UnsafeRawBufferPointer(start: data, count: size))
            return 0
        }
    }
}
