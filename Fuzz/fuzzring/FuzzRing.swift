// fuzzring: looks for a file that the reader of dead rings cannot take. `make fuzz` builds and runs it.

internal import CLibFuzzer
internal import RingFuzzing

/// Hands libFuzzer the body that is tried; its arguments are libFuzzer's.
@main
enum FuzzRing {
    static func main() {
        var count = CommandLine.argc
        var arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = CommandLine.unsafeArgv
        _ = LLVMFuzzerRunDriver(&count, &arguments) { data, size in
            RingBody.shared.run(UnsafeRawBufferPointer(start: data, count: size))
            return 0
        }
    }
}
