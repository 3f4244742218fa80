import JSON

/// What the fields that only orders have may hold.
enum OrderField {
    static func amount(_ field: String, _ value: Int64) throws(InputError) -> Int64 {
        guard value > 0 else { throw InputError(field, problem: "is not above zero", allowed: amountAllowed) }
        return value
    }

    static func currency(_ field: String, _ value: String) throws(InputError) -> String {
        guard Currency.isKnown(value) else {
            let isLowerCase = Answer.currency(value).value.map(Currency.isKnown) ?? false
            throw InputError(
                field, problem: isLowerCase ? "is not in upper case" : "is not a currency",
                allowed: "a code of ISO 4217 in upper case, such as EUR")
        }
        return value
    }

    static func status(_ field: String, _ value: String) throws(InputError) -> String {
        guard ["pending", "cancelled", "closed"].contains(value) else {
            throw InputError(
                field, problem: "is not a status to begin with", allowed: "pending, cancelled, closed")
        }
        return value
    }

    static let amountAllowed = "a whole number of minor units from 1 to \(Int64.max)"
}
