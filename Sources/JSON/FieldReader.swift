import Timeline

/// Reads a row's fields from a JSON object with the columns' names, naming the field that cannot be read.
///
/// Null reads like a field that is left out, but for `next_check_at`, where it puts the row to rest.
package struct FieldReader {
    private let object: JSONValue

    /// Throws if `json` is not an object, or has members that are not among `fields`.
    ///
    /// - Parameter what: what the object is, e.g. "order".
    package init(_ json: JSONValue, what: String, fields: [String]) throws(InputError) {
        guard case .object(let members) = json else {
            throw InputError(
                what, problem: "is not a JSON object",
                allowed: "an object with \(fields.prefix(2).joined(separator: ", ")), …")
        }
        if let unknown = members.first(where: { !fields.contains($0.name) }) {
            let isPrintable = !unknown.name.hasControlCharacter
            throw InputError(
                isPrintable && !unknown.name.isEmpty ? String(unknown.name.prefix(64)) : "a field",
                problem: "is not a field of \(what == "order" || what == "upload" ? "an" : "a") \(what)",
                allowed: fields.joined(separator: ", "))
        }
        object = json
    }

    package func string(_ field: String) throws(InputError) -> String? {
        guard let value = value(field) else { return nil }
        guard let text = value.string else { throw InputError(field, problem: "is not a text", allowed: "a text") }
        return text
    }

    package func requiredString(_ field: String) throws(InputError) -> String {
        guard let text = try string(field) else {
            throw InputError(field, problem: "is missing", allowed: "a text")
        }
        return text
    }

    /// A whole number in `range`; `allowed` says it in words.
    package func integer(
        _ field: String, in range: ClosedRange<Int64>, allowed: String
    ) throws(InputError) -> Int64? {
        guard let value = value(field) else { return nil }
        guard case .number(let raw) = value, let number = ExactDecimal.scaled(raw, places: 0) else {
            throw InputError(field, problem: "is no such number", allowed: allowed)
        }
        guard range.contains(number) else {
            throw InputError(
                field, problem: number < range.lowerBound ? "is too small" : "is too large", allowed: allowed)
        }
        return number
    }

    package func requiredInteger(
        _ field: String, in range: ClosedRange<Int64>, allowed: String
    ) throws(InputError) -> Int64 {
        guard let number = try integer(field, in: range, allowed: allowed) else {
            throw InputError(field, problem: "is missing", allowed: allowed)
        }
        return number
    }

    package func timestamp(_ field: String) throws(InputError) -> Timestamp? {
        guard let text = try string(field) else { return nil }
        guard let timestamp = Timestamp(text), timestamp.microseconds >= 0, timestamp != .distantFuture else {
            throw InputError(
                field, problem: "is not a time", allowed: "RFC 3339 from 1970 on, such as 2026-11-23T14:02:11Z")
        }
        return timestamp
    }

    package func firstCheck(_ field: String) throws(InputError) -> FirstCheck {
        if object[field]?.isNull == true { return .never }
        return try timestamp(field).map { .at($0) } ?? .byDefault
    }

    /// A JSON object as text.
    package func metadata(_ field: String) throws(InputError) -> String? {
        guard let value = value(field) else { return nil }
        let allowed = "a JSON object of at most 64 KiB without NUL and with numbers of ordinary size"
        guard case .object = value, value.isStorable else {
            throw InputError(field, problem: "cannot be stored", allowed: allowed)
        }
        let text = value.text
        guard text.utf8.count <= FieldRules.metadataBytesMax else {
            throw InputError(field, problem: "is too large", allowed: allowed)
        }
        return text
    }

    /// The member of that name, null being none.
    package func value(_ field: String) -> JSONValue? {
        guard let value = object[field], !value.isNull else { return nil }
        return value
    }
}
