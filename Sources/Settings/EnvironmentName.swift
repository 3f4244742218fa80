/// How a key's path is spelled as an environment variable, and back.
enum EnvironmentName {
    static let prefix = "RECONCILED_"

    /// `gateways.stripe-eu.secretKeyFile` → `RECONCILED_GATEWAYS_STRIPE_EU_SECRET_KEY_FILE`: upper case, an underscore for
    /// every other character and before a capital that follows a small letter or a digit.
    static func variable(forPath path: String) -> String {
        prefix + upperSnake(path)
    }

    static func upperSnake(_ text: String) -> String {
        var name = ""
        var previous: Unicode.Scalar = "_"
        for scalar in text.unicodeScalars {
            let isUpper = ("A"..."Z").contains(scalar)
            let isWord = isUpper || ("a"..."z").contains(scalar) || ("0"..."9").contains(scalar)
            let followsSmall = ("a"..."z").contains(previous) || ("0"..."9").contains(previous)
            if !isWord {
                if name.last != "_" && !name.isEmpty { name += "_" }
            } else {
                if isUpper && followsSmall { name += "_" }
                name += String(scalar).uppercased()
            }
            previous = scalar
        }
        while name.last == "_" { name.removeLast() }
        return name
    }

    /// The name of a section or header that only the environment knows: `STRIPE_EU` → `stripe-eu`.
    static func kebab(_ upperSnake: some StringProtocol) -> String {
        upperSnake.lowercased().replacing("_", with: "-")
    }

    /// Variables that are no settings: the file's path, and what tests and their seeds use.
    static func isReserved(_ name: String) -> Bool {
        name == "RECONCILED_CONFIG" || name == "RECONCILED_SEED" || name.hasPrefix("RECONCILED_TEST_")
    }
}
