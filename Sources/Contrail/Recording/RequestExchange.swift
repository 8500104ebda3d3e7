// What went in and out of one request, for a replay.

internal import ContrailRecorder
package import HTTPTypes
private import Synchronization

/// Writes down a request whose body is read, and a response whose body is written, piece by piece. It keeps the first 64 KiB of each
/// and holds nothing up. May be used from any thread.
package final class RequestExchange: Sendable {
    private struct State {
        var input: BodyCapture? = BodyCapture()
        var output: BodyCapture?
        var response: HTTPResponse?
    }

    private let context: App.RequestContext
    private let state = Mutex(State())

    /// Of a request that records at the level `replay`; nil otherwise. The context is pushed.
    package init?(_ context: App.RequestContext) {
        guard context.level >= .replay else { return nil }
        self.context = context
        if !context.awaitsBody { self.state.withLock { $0.input = nil } }
    }

    /// Notes a piece of the request's body.
    package func receive(_ bytes: some Collection<UInt8>) { self.state.withLock { $0.input?.add(bytes) } }

    /// Records the request's body, once: at its end, or at that of the request if nobody read it so far.
    package func endInput(isComplete: Bool) {
        guard let input = self.state.withLock({ $0.input.take() }) else { return }
        self.context.recordInput(body: input, isComplete: isComplete)
    }

    /// Notes the response's head.
    package func respond(_ response: HTTPResponse) {
        self.state.withLock { state in
            state.response = response
            state.output = BodyCapture()
        }
    }

    /// Notes a piece of the response's body.
    package func send(_ bytes: some Collection<UInt8>) { self.state.withLock { $0.output?.add(bytes) } }

    /// Records what is not recorded yet: the request is about to end.
    package func end(isComplete: Bool) {
        self.endInput(isComplete: false)
        let (response, output) = self.state.withLock { ($0.response, $0.output.take()) }
        guard let response, let output else { return }
        self.context.recordOutput(response, body: output, isComplete: isComplete)
    }
}

extension App.RequestContext {
    /// Whether a body may come that is not at hand.
    fileprivate var awaitsBody: Bool {
        guard self.streamsBody else { return false }
        let fields = self.request.headerFields
        return fields[.contentLength].map { $0 != "0" } ?? (fields[.transferEncoding] != nil)
            || (self.method != .get && self.method != .head && fields[.contentLength] == nil)
    }

    /// Records the request, with its body if that is at hand.
    func recordInput() {
        guard let recorder = self.app.recorder else { return }
        let text = ExchangeText(recorder)
        let head = text.head(of: self.request, headers: self.app.recording.requestHeaders)
        if self.awaitsBody {
            self.record([text.announcement(head)]) { $0.recordInput($1, json: $2) }
        } else {
            var body = BodyCapture()
            body.add(self.body)
            self.record(text.parts(head, body)) { $0.recordInput($1, json: $2) }
        }
    }

    fileprivate func recordInput(body: BodyCapture, isComplete: Bool) {
        guard let recorder = self.app.recorder else { return }
        let parts = ExchangeText(recorder).parts(nil, body, isComplete: isComplete)
        self.record(parts) { $0.recordInput($1, json: $2) }
    }

    /// Records the response, if the request records as much.
    func recordOutput(_ response: App.Response) {
        guard self.level >= .replay else { return }
        var body = BodyCapture()
        body.add(response.body)
        self.recordOutput(response.head, body: body, isComplete: true)
    }

    fileprivate func recordOutput(_ response: HTTPResponse, body: BodyCapture, isComplete: Bool) {
        guard let recorder = self.app.recorder else { return }
        let text = ExchangeText(recorder)
        let head = text.head(of: response, headers: self.app.recording.responseHeaders)
        self.record(text.parts(head, body, isComplete: isComplete)) { $0.recordOutput($1, json: $2) }
    }

    private func record(_ parts: [String], _ write: (FlightRecorder, RecordHead, String) -> Void) {
        let (ordinal, unit) = (self.lifetime.ordinal, self.lifetime.label)
        for part in parts {
            self.app.record(context: ordinal, unit: unit) { write($0, $1, part) }
        }
    }
}
