// A small HTTP/1.1 client over one TCP connection, which can also stop reading, and hang up in anger.

package import NIOCore
package import NIOHTTP1
private import NIOPosix

#if canImport(Glibc)
private import Glibc
#else
private import Darwin
#endif

/// One keep-alive connection to the loopback interface. Used by one task.
package final class HTTPConnection {
    private typealias Connected = NIOAsyncChannel<HTTPClientResponsePart, HTTPClientRequestPart>

    private let channel: any Channel
    private let outbound: NIOAsyncChannelOutboundWriter<HTTPClientRequestPart>
    private var inbound: NIOAsyncChannelInboundStream<HTTPClientResponsePart>.AsyncIterator

    private init(
        _ channel: any Channel,
        _ outbound: NIOAsyncChannelOutboundWriter<HTTPClientRequestPart>,
        _ inbound: NIOAsyncChannelInboundStream<HTTPClientResponsePart>.AsyncIterator
    ) {
        self.channel = channel
        self.outbound = outbound
        self.inbound = inbound
    }

    /// Connects, runs the closure and closes the connection.
    ///
    /// - Parameters:
    ///   - port: The server's port.
    ///   - receiveBuffer: How many bytes the kernel may take while the client does not read.
    package static func open<Result: Sendable>(
        port: Int,
        receiveBuffer: Int? = nil,
        _ body: (HTTPConnection) async throws -> Result
    ) async throws -> Result {
        var bootstrap = ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
        if let receiveBuffer {
            let size = ChannelOptions.Types.SocketOption.Value(receiveBuffer)
            bootstrap = bootstrap.channelOption(.socketOption(.so_rcvbuf), value: size)
        }
        let connected = try await bootstrap.connect(host: "127.0.0.1", port: port) { channel in
            channel.eventLoop.makeCompletedFuture {
                try channel.pipeline.syncOperations.addHTTPClientHandlers()
                return try Connected(wrappingChannelSynchronously: channel)
            }
        }
        return try await connected.executeThenClose { inbound, outbound in
            try await body(HTTPConnection(connected.channel, outbound, inbound.makeAsyncIterator()))
        }
    }

    /// Sends a request and reads the response to its end.
    package func send(
        _ method: HTTPMethod,
        _ target: String,
        headers: HTTPHeaders = [:],
        body: String? = nil
    ) async throws -> HTTPAnswer {
        try await self.sendHead(method, target, headers: headers, bodyLength: body?.utf8.count)
        if let body { try await self.sendBody(body) }
        try await self.sendEnd()
        return try await self.readAnswer()
    }

    // MARK: - Piece by piece

    /// Sends the head of a request. A host of the caller's replaces the connection's own.
    package func sendHead(
        _ method: HTTPMethod,
        _ target: String,
        headers: HTTPHeaders = [:],
        bodyLength: Int? = nil
    ) async throws {
        var headers = headers
        if !headers.contains(name: "host") { headers.add(name: "host", value: "127.0.0.1") }
        if let bodyLength {
            headers.add(name: "content-length", value: String(bodyLength))
            if !headers.contains(name: "content-type") { headers.add(name: "content-type", value: "application/json") }
        }
        let head = HTTPRequestHead(version: .http1_1, method: method, uri: target, headers: headers)
        try await self.outbound.write(.head(head))
    }

    /// Sends a part of the body.
    package func sendBody(_ text: String) async throws {
        try await self.outbound.write(.body(.byteBuffer(ByteBuffer(string: text))))
    }

    /// Ends the request.
    package func sendEnd() async throws {
        try await self.outbound.write(.end(nil))
    }

    /// Reads the head of the response.
    package func readHead() async throws -> HTTPResponseHead {
        guard case .head(let head) = try await self.inbound.next() else {
            throw TestSupportError("the server hung up before the head of the response")
        }
        return head
    }

    /// Reads what comes next of the body; nil at its end.
    package func readChunk() async throws -> ByteBuffer? {
        switch try await self.inbound.next() {
        case .body(let buffer): return buffer
        case .end: return nil
        case .head, nil: throw TestSupportError("the server hung up in the middle of the response")
        }
    }

    /// Reads the response to its end.
    package func readAnswer() async throws -> HTTPAnswer {
        let head = try await self.readHead()
        var body = ByteBuffer()
        while var chunk = try await self.readChunk() { body.writeBuffer(&chunk) }
        return HTTPAnswer(status: Int(head.status.code), headers: head.headers, body: body)
    }

    /// Hangs up with a reset instead of an orderly close: unread data and unsent data are gone.
    package func reset() async throws {
        guard let socket = self.channel as? any SocketOptionProvider else {
            throw TestSupportError("the channel has no socket")
        }
        try await socket.setSoLinger(linger(l_onoff: 1, l_linger: 0)).get()
        try await self.channel.close().get()
    }
}
