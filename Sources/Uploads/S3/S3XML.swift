/// An element of S3's XML: what its answers need and no more.
///
/// Attributes are skipped and name prefixes dropped. A document type is refused, and with it every entity but the five
/// of XML itself: nothing expands. Depth and number of elements are bounded; the bytes are, by who read them.
struct S3XML: Hashable, Sendable {
    static let depthMax = 16
    static let elementsMax = 120_000

    var name: String
    var text = ""
    var children: [S3XML] = []

    /// The text of the first child of that name, without white space around it.
    subscript(name: String) -> String? {
        children.first { $0.name == name }.map { $0.trimmed }
    }

    /// Nil if the bytes are not one whole document of that kind. White space may come before it: S3 sends it while it
    /// works.
    init?(parsing bytes: [UInt8]) {
        var parser = S3XMLParser(bytes)
        guard let root = parser.document() else { return nil }
        self = root
    }

    init(name: String) {
        self.name = name
    }

    private var trimmed: String {
        let rest = text.utf8.drop(while: S3XMLParser.isSpace)
        guard let last = rest.lastIndex(where: { !S3XMLParser.isSpace($0) }) else { return "" }
        return String(Substring(rest[...last]))
    }
}
