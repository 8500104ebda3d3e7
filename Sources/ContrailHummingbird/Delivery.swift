// The delivery of one response: it keeps the request's context until the last byte, and says how that went.

internal import Contrail
private import HTTPTypes
internal import Hummingbird
private import NIOCore
private import Synchronization

/// Ends a context when the body of its response was written, broke off, or was dropped without being written.
final class Delivery: Sendable {
    private let scope: ContextScope
    private let exchange: RequestExchange?
    private let clientIsGone = Atomic<Bool>(false)

    init(of scope: ContextScope, _ exchange: RequestExchange?) {
        self.scope = scope
        self.exchange = exchange
    }

    deinit {
        // The body was dropped: nobody will write it. When it was written, the context has ended and this does nothing.
        self.exchange?.end(isComplete: false)
        self.scope.finishLater(.aborted)
    }

    /// The same body, written with the context current.
    func body(around body: ResponseBody) -> ResponseBody {
        ResponseBody(contentLength: body.contentLength) { writer in
            // Only this call writes to it, and it has returned before the server touches the writer again.
            nonisolated(unsafe) let target = DeliveryWriter(target: writer, delivery: self)
            do {
                try await self.scope.run { try await body.write(target) }
            } catch {
                self.exchange?.end(isComplete: false)
                await self.scope.finish(self.outcome(of: error))
                throw error
            }
            self.exchange?.end(isComplete: true)
            await self.scope.finish(.ok)
        }
    }

    /// Notes what was written.
    fileprivate func note(_ buffer: ByteBuffer) { self.exchange?.send(buffer.readableBytesView) }

    /// Notes that the connection took no more.
    fileprivate func noteClientIsGone() {
        self.clientIsGone.store(true, ordering: .releasing)
    }

    private func outcome(of error: any Error) -> Outcome {
        if self.clientIsGone.load(ordering: .acquiring) || Task.isCancelled { return .aborted }
        return Outcome(error: error)
    }
}

/// Tells an error of the connection from one of the body's producer.
private struct DeliveryWriter: ResponseBodyWriter {
    var target: any ResponseBodyWriter
    let delivery: Delivery

    mutating func write(_ buffer: ByteBuffer) async throws {
        do {
            try await self.target.write(buffer)
            self.delivery.note(buffer)
        } catch {
            self.delivery.noteClientIsGone()
            throw error
        }
    }

    consuming func finish(_ trailingHeaders: HTTPFields?) async throws {
        let delivery = self.delivery
        do {
            try await self.target.finish(trailingHeaders)
        } catch {
            delivery.noteClientIsGone()
            throw error
        }
    }
}
