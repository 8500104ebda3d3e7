// The body of a request that is written down while the handler reads it.

internal import Contrail
internal import Hummingbird
private import NIOCore

extension Request {
    /// The same request, whose body is noted as it is read. Nothing is read ahead, so what the handler does not read is not noted.
    func teed(into exchange: RequestExchange) -> Request {
        var request = self
        request.body = RequestBody(asyncSequence: TeedBody(base: self.body, exchange: exchange))
        return request
    }
}

/// A body that notes each buffer before it hands it on.
private struct TeedBody: AsyncSequence, Sendable {
    typealias Element = ByteBuffer

    let base: RequestBody
    let exchange: RequestExchange

    struct AsyncIterator: AsyncIteratorProtocol {
        var base: RequestBody.AsyncIterator
        let exchange: RequestExchange

        mutating func next() async throws -> ByteBuffer? {
            do {
                guard let buffer = try await self.base.next() else {
                    self.exchange.endInput(isComplete: true)
                    return nil
                }
                self.exchange.receive(buffer.readableBytesView)
                return buffer
            } catch {
                self.exchange.endInput(isComplete: false)
                throw error
            }
        }
    }

    func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(base: self.base.makeAsyncIterator(), exchange: self.exchange)
    }
}
