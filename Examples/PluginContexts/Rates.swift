// Where the exchange rates of the guide come from.

/// Asks for the exchange rates of today.
public struct Rates: Sendable {
    private let ask: @Sendable () async throws -> [String: Double]

    /// Makes it over whatever knows the rates.
    public init(_ ask: @escaping @Sendable () async throws -> [String: Double]) {
        self.ask = ask
    }

    func today() async throws -> [String: Double] { try await self.ask() }
}
