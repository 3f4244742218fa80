/// What fields that rows of every watch have may hold.
package enum FieldRules {
    /// Characters in an id, a reference or a name.
    package static let textLengthMax = 255
    /// Bytes of `metadata`.
    package static let metadataBytesMax = 64 << 10

    /// One to 255 characters without control characters.
    package static func text(_ field: String, _ value: String) throws(InputError) -> String {
        let allowed = "1 to \(textLengthMax) characters without control characters"
        guard !value.isEmpty else { throw InputError(field, problem: "is empty", allowed: allowed) }
        // Bytes first: a text of a megabyte is refused without counting its characters.
        guard value.utf8.count <= textLengthMax * 4, value.unicodeScalars.count <= textLengthMax
        else { throw InputError(field, problem: "is too long", allowed: allowed) }
        guard !value.hasControlCharacter else {
            throw InputError(field, problem: "holds a control character", allowed: allowed)
        }
        return value
    }

    /// A lane's name. `what` says of whom, e.g. "gateway".
    package static func lane(_ field: String, _ value: String, what: String) throws(InputError) -> String {
        let isName =
            (1...63).contains(value.utf8.count)
            && value.utf8.allSatisfy { isAlphanumeric($0) || "._-".utf8.contains($0) }
            && value.utf8.first.map(isAlphanumeric) == true
        guard isName else {
            throw InputError(
                field, problem: "is not a \(what)'s name",
                allowed: "1 to 63 letters, digits, “.”, “_” and “-”, a letter or digit first")
        }
        return value
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
    }
}
