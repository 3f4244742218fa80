import Foundation
import JSON

/// A URL's query, and a form's body, which is written the same way.
package enum QueryText {
    /// How many parameters are read at most.
    static let countMax = 64

    /// The parameters in their order. Throws `InputError` for one that is not readable.
    package static func parameters(_ query: String?) throws(InputError) -> [(name: String, value: String)] {
        var parameters: [(name: String, value: String)] = []
        for part in (query ?? "").split(separator: "&", maxSplits: countMax) {
            let pieces = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = decoded(pieces[0]), let value = pieces.count > 1 ? decoded(pieces[1]) : "" else {
                throw InputError(
                    printable(decoded(pieces[0]) ?? ""), problem: "is not readable", allowed: "UTF-8, percent-encoded")
            }
            parameters.append((name, value))
        }
        return parameters
    }

    /// Those parameters that are readable, of a text that someone else made up.
    package static func readable(_ text: String?) -> [(name: String, value: String)] {
        (text ?? "").split(separator: "&", maxSplits: countMax).compactMap { part in
            let pieces = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard pieces.count == 2, let name = decoded(pieces[0]), let value = decoded(pieces[1]) else { return nil }
            return (name, value)
        }
    }

    private static func decoded(_ text: Substring) -> String? {
        text.replacing("+", with: " ").removingPercentEncoding
    }

    /// A name of someone else's that can be shown.
    static func printable(_ name: String) -> String {
        let isPrintable = !name.isEmpty && !name.hasControlCharacter
        return isPrintable ? String(name.prefix(64)) : "a parameter"
    }
}
