/// One SQL statement under the name that errors and prepared statements carry.
///
/// `text` holds a single statement with `$1`-style parameters; several statements at once are for
/// `PostgresTransaction.execute(script:)`.
public struct Statement: Hashable, Sendable {
    public let name: String
    public let text: String

    public init(name: String, text: String) {
        self.name = name
        self.text = text
    }
}
