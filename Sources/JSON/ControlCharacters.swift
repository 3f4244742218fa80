extension StringProtocol {
    /// Whether a control character (Unicode's category Cc) stands in it.
    package var hasControlCharacter: Bool {
        unicodeScalars.contains { $0.value < 0x20 || (0x7F...0x9F).contains($0.value) }
    }
}
