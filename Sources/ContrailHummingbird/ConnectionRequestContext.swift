// What the middleware needs of a server's request context: the connection that the request came in on.

public import Hummingbird
public import NIOCore

/// A Hummingbird request context that knows its connection, which is the worker of the requests that arrive on it.
///
/// Use ``BasicConnectionRequestContext``, or store an ``HTTPConnection`` in a context of your own:
///
/// ```swift
/// struct ShopContext: ConnectionRequestContext {
///     var coreContext: CoreRequestContextStorage
///     let connection: HTTPConnection
///     init(source: Source) {
///         self.coreContext = CoreRequestContextStorage(source: source)
///         self.connection = HTTPConnection(channel: source.channel)
///     }
/// }
/// ```
public protocol ConnectionRequestContext: RemoteAddressRequestContext {
    /// The connection that the request came in on.
    var connection: HTTPConnection { get }
}

extension ConnectionRequestContext {
    /// The address of the client.
    public var remoteAddress: SocketAddress? { self.connection.remoteAddress }
}

/// A request context with what Hummingbird and Contrail need, and nothing else.
public struct BasicConnectionRequestContext: ConnectionRequestContext {
    /// What Hummingbird needs.
    public var coreContext: CoreRequestContextStorage
    /// The connection that the request came in on.
    public let connection: HTTPConnection

    /// Makes a context for one request.
    public init(source: Source) {
        self.coreContext = CoreRequestContextStorage(source: source)
        self.connection = HTTPConnection(channel: source.channel)
    }
}
