import Timeline

/// The parts of a multipart upload, put together page by page.
///
/// Source: docs.aws.amazon.com, API ListParts. A server's markers are not trusted to come to an end: every page must
/// get further than the one before it.
struct S3Listing: Hashable, Sendable {
    static let partNumberMax = 10_000
    /// We ask for a thousand parts at once; ten are taken.
    static let pagesMax = 1_000

    /// By number; where several claim one, the last of them.
    private(set) var parts: [Int: S3Part] = [:]
    /// Numbers that several parts with different content claim.
    private(set) var duplicates: Set<Int> = []
    /// The store's clock at the first page.
    private(set) var storeTime: Timestamp?
    /// Where the next page begins; nil: there is none.
    private(set) var marker: Int? = 0
    private var pages = 0

    var bytes: Int64 { parts.values.reduce(0) { $0.addingSaturated($1.bytes) } }

    /// Adds the page that was asked for with `marker`. Says what is wrong with it, nil if nothing is.
    mutating func add(page: S3XML, uploadID: String, storeTime: Timestamp?) -> String? {
        // The documentation says Result; some servers say Response.
        guard page.name == "ListPartsResult" || page.name == "ListPartsResponse", let asked = marker else {
            return "it lists no parts"
        }
        guard page["UploadId"] == uploadID else { return "it lists another upload's parts" }
        self.storeTime = self.storeTime ?? storeTime
        for element in page.children where element.name == "Part" {
            guard let part = S3Part(element) else { return "a part in it is not readable" }
            if let known = parts[part.number], known.etag != part.etag || known.bytes != part.bytes {
                duplicates.insert(part.number)
            }
            parts[part.number] = part
        }
        switch page["IsTruncated"] {
        case "true":
            guard let next = page["NextPartNumberMarker"].flatMap({ Int($0) }) else { return "its end has no marker" }
            pages += 1
            guard pages < Self.pagesMax else { return "it has no end" }
            guard next > asked, next <= Self.partNumberMax else { return "its marker leads nowhere" }
            marker = next
        case "false", nil: marker = nil
        default: return "nothing says whether more parts follow"
        }
        return nil
    }
}

extension S3Part {
    fileprivate init?(_ element: S3XML) {
        guard let number = element["PartNumber"].flatMap({ Int($0) }), (1...S3Listing.partNumberMax).contains(number),
            let bytes = element["Size"].flatMap({ Int64($0) }), bytes >= 0,
            let etag = element["ETag"].flatMap(S3ETag.bare)
        else { return nil }
        self.init(
            number: number, etag: etag, bytes: bytes, lastModified: element["LastModified"].flatMap { Timestamp($0) })
    }
}

enum S3ETag {
    /// An ETag without its quotes; nil for what is none. A proxy that may encode bodies marks it as weak: the store's own
    /// is in there all the same.
    static func bare(_ marked: String) -> String? {
        let text = marked.hasPrefix("W/\"") ? marked.dropFirst(2) : marked[...]
        let bare =
            text.hasPrefix("\"") && text.hasSuffix("\"") && text.utf8.count >= 2
            ? text.dropFirst().dropLast() : text[...]
        let isPlain = bare.utf8.allSatisfy { (0x21...0x7E).contains($0) && !"\"<>&".utf8.contains($0) }
        return !bare.isEmpty && bare.utf8.count <= 128 && isPlain ? String(bare) : nil
    }
}
