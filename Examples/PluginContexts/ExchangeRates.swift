// The variable that the guide "Add a variable" adds, step by step.

public import ContextVariables
internal import Logging

/// The exchange rates of today, as this unit saw them first.
public let exchangeRates = RecyclableVariable<[String: Double]>("exchange_rates")

/// Converts an amount, and asks for the rates at most once in a unit.
public func convert(_ amount: Double, to currency: String, rates: Rates) async throws -> Double? {
    let rates = try await exchangeRates.getOrLoad { try await rates.today() }
    return rates[currency].map { amount * $0 }
}

/// Converts many amounts, and looks the unit up once.
public func convertAll(_ amounts: [Double], to currency: String) throws -> [Double] {
    let variables = UnitVariables.current
    return try amounts.compactMap { amount in
        try variables.get(exchangeRates)[currency].map { amount * $0 }
    }
}

/// A transaction is the unit's own: a snapshot must not carry it to another worker.
public let openTransaction = RecyclableVariable<String>(
    "open_transaction",
    policy: RecyclablePolicy(handOff: .withheld)
)

/// Every get, set and recycle of it is in the log at level debug, never the value.
public let watchedRates = RecyclableVariable<[String: Double]>(
    "watched_rates",
    logger: Logger(label: "variables")
)

/// Works through jobs: each is a unit, which begins with nothing and releases what it loaded.
public func work(through jobs: [String], on worker: Worker, rates: Rates) async throws -> [Double] {
    var results: [Double] = []
    for currency in jobs {
        let result = try await worker.run { try await convert(100, to: currency, rates: rates) }
        results.append(result ?? 0)
    }
    return results
}

/// Hands the rates that are known here to another task, which sees them whatever happens here meanwhile.
public func convertElsewhere(_ amount: Double, to currency: String, rates: Rates) -> Task<Double?, any Error> {
    let snapshot = VariableSnapshot()
    return Task.detached {
        try await snapshot.run { try await convert(amount, to: currency, rates: rates) }
    }
}

/// Says why there are no rates here.
public func explainRates() -> String {
    switch exchangeRates.miss {
    case nil: "there are rates"
    case .neverSet(let epoch)?: "unit \(epoch) has not asked for them yet"
    case .recycled(let epoch)?: "unit \(epoch) has ended"
    case .outsideUnit?: "no unit of work is current"
    }
}
