/// The name of a part below `.reconciled/parts`: whose it is, and whose checkpoint vouches for what it begins with.
///
/// `IDENTITY.TOKEN.part`, or `IDENTITY.TOKEN.ORIGIN.part` where the claim has taken over what another left and has not
/// noted anything of its own yet: should it die as well, the third still finds the bytes that the journal names.
struct PartName: Hashable {
    var identity: String
    /// The claim that writes to it.
    var token: Int64
    /// The claim whose checkpoint names its first bytes, if that is another.
    var origin: Int64?

    private static let suffix = ".part"

    init(_ identity: String, token: Int64, origin: Int64? = nil) {
        self.identity = identity
        self.token = token
        self.origin = origin
    }

    /// Nil if it is no part's name.
    init?(_ text: String) {
        guard text.hasSuffix(Self.suffix) else { return nil }
        let words = text.dropLast(Self.suffix.count).split(separator: ".", omittingEmptySubsequences: false)
        guard (2...3).contains(words.count), let token = Int64(words[1]) else { return nil }
        identity = String(words[0])
        self.token = token
        guard words.count == 3 else { return }
        guard let origin = Int64(words[2]) else { return nil }
        self.origin = origin
    }

    var text: String { identity + ".\(token)" + (origin.map { ".\($0)" } ?? "") + Self.suffix }

    /// Whether a checkpoint of that claim names its first bytes.
    func isVouchedFor(by claim: Int64) -> Bool { token == claim || origin == claim }
}
