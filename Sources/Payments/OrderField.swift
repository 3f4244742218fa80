import Timeline

/// What each field of an order may hold.
enum OrderField {
    static func text(_ field: String, _ value: String) throws(OrderInputError) -> String {
        let allowed = "1 to \(OrderInput.textLengthMax) characters without control characters"
        guard !value.isEmpty else { throw OrderInputError(field, problem: "is empty", allowed: allowed) }
        // Bytes first: a text of a megabyte is refused without counting its characters.
        guard value.utf8.count <= OrderInput.textLengthMax * 4, value.unicodeScalars.count <= OrderInput.textLengthMax
        else { throw OrderInputError(field, problem: "is too long", allowed: allowed) }
        guard !value.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) else {
            throw OrderInputError(field, problem: "holds a control character", allowed: allowed)
        }
        return value
    }

    static func lane(_ field: String, _ value: String) throws(OrderInputError) -> String {
        let isName =
            (1...63).contains(value.utf8.count)
            && value.utf8.allSatisfy { isAlphanumeric($0) || "._-".utf8.contains($0) }
            && value.utf8.first.map(isAlphanumeric) == true
        guard isName else {
            throw OrderInputError(
                field, problem: "is not a gateway's name",
                allowed: "1 to 63 letters, digits, “.”, “_” and “-”, a letter or digit first")
        }
        return value
    }

    static func amount(_ field: String, _ value: Int64) throws(OrderInputError) -> Int64 {
        guard value > 0 else { throw OrderInputError(field, problem: "is not above zero", allowed: amountAllowed) }
        return value
    }

    static func currency(_ field: String, _ value: String) throws(OrderInputError) -> String {
        guard Currency.isKnown(value) else {
            let isLowerCase = Answer.currency(value).value.map(Currency.isKnown) ?? false
            throw OrderInputError(
                field, problem: isLowerCase ? "is not in upper case" : "is not a currency",
                allowed: "a code of ISO 4217 in upper case, such as EUR")
        }
        return value
    }

    static func status(_ field: String, _ value: String) throws(OrderInputError) -> String {
        guard ["pending", "cancelled", "closed"].contains(value) else {
            throw OrderInputError(
                field, problem: "is not a status to begin with", allowed: "pending, cancelled, closed")
        }
        return value
    }

    static let amountAllowed = "a whole number of minor units from 1 to \(Int64.max)"

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
    }
}

/// Reads an order's fields from a JSON object, naming the field that cannot be read.
struct OrderFieldReader {
    private let object: JSONValue

    init(_ object: JSONValue) {
        self.object = object
    }

    func string(_ field: String) throws(OrderInputError) -> String? {
        guard let value = value(field) else { return nil }
        guard let text = value.string else { throw OrderInputError(field, problem: "is not a text", allowed: "a text") }
        return text
    }

    func requiredString(_ field: String) throws(OrderInputError) -> String {
        guard let text = try string(field) else {
            throw OrderInputError(field, problem: "is missing", allowed: "a text")
        }
        return text
    }

    func amount(_ field: String) throws(OrderInputError) -> Int64 {
        guard let value = value(field) else {
            throw OrderInputError(field, problem: "is missing", allowed: OrderField.amountAllowed)
        }
        guard case .number(let raw) = value, let amount = ExactDecimal.scaled(raw, places: 0) else {
            throw OrderInputError(field, problem: "is no such number", allowed: OrderField.amountAllowed)
        }
        return amount
    }

    func timestamp(_ field: String) throws(OrderInputError) -> Timestamp? {
        guard let text = try string(field) else { return nil }
        guard let timestamp = Timestamp(text), timestamp.microseconds >= 0, timestamp != .distantFuture else {
            throw OrderInputError(
                field, problem: "is not a time", allowed: "RFC 3339 from 1970 on, such as 2026-11-23T14:02:11Z")
        }
        return timestamp
    }

    func firstCheck(_ field: String) throws(OrderInputError) -> OrderInput.FirstCheck {
        if object[field]?.isNull == true { return .never }
        return try timestamp(field).map { .at($0) } ?? .byDefault
    }

    func metadata(_ field: String) throws(OrderInputError) -> String? {
        guard let value = value(field) else { return nil }
        let allowed = "a JSON object of at most 64 KiB without NUL and with numbers of ordinary size"
        guard case .object = value, value.isStorable else {
            throw OrderInputError(field, problem: "cannot be stored", allowed: allowed)
        }
        let text = value.text
        guard text.utf8.count <= OrderInput.metadataBytesMax else {
            throw OrderInputError(field, problem: "is too large", allowed: allowed)
        }
        return text
    }

    private func value(_ field: String) -> JSONValue? {
        guard let value = object[field], !value.isNull else { return nil }
        return value
    }
}
