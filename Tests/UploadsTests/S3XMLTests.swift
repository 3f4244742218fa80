import TestSupport
import Testing

@testable import Uploads

@Suite struct S3XMLTests {
    private func read(_ text: String) -> S3XML? { S3XML(parsing: Array(text.utf8)) }

    @Test func elementsTextAndReferencesAreRead() throws {
        let root = try #require(
            read(
                """
                \u{FEFF}  \n<?xml version="1.0" encoding="UTF-8"?>
                <!-- a --><s3:List xmlns:s3='x>y' a = "/>"><A/><B c="d"> 1 &lt;&amp;&gt;&quot;&apos;&#65;&#x20AC; </B>
                <C><![CDATA[<&]]>x</C><C>second</C></s3:List> <!-- b -->
                """))
        #expect(root.name == "List")
        #expect(root["A"] == "")
        #expect(root["B"] == "1 <&>\"'A€")
        #expect(root["C"] == "<&x")
        #expect(root["D"] == nil)
        #expect(root.children.count == 4)
    }

    @Test(arguments: [
        "", "   ", "text", "<a>", "<a></b>", "<a/><b/>", "<a></a", "<a><b></a></b>", "<a>&b;</a>", "<a>&#0;</a>",
        "<a>&#xD800;</a>", "<a>&amp</a>", "<!DOCTYPE a><a/>", "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>",
        "<a b='c></a>", "<a><!ELEMENT b></a>", "<a/>junk", "<![CDATA[x]]>", "<a><![CDATA[x</a>", "<a><!-- </a>", "<",
        "<>", "</a>", "<a", "<?xml", "x<a/>", "<a/><!-- ", "&amp;<a/>", "<a", "<a/", "<a><", "<a>&", "<a>&#;</a>",
    ])
    func whatIsNotOneWholeDocumentIsRefused(text: String) {
        #expect(read(text) == nil)
    }

    @Test func everyPrefixOfAnAnswerIsRefused() {
        let whole = Array(S3Text.completed(S3Sample.composite).utf8)
        for length in 0..<whole.count { #expect(S3XML(parsing: Array(whole[..<length])) == nil, "\(length) bytes") }
        #expect(S3XML(parsing: whole) != nil)
    }

    @Test func entitiesDoNotExpand() {
        let bomb = """
            <?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;"><!ENTITY c "&b;&b;&b;">]><l>&c;</l>
            """
        #expect(read(bomb) == nil)
        #expect(read("<!DOCTYPE l SYSTEM \"file:///etc/passwd\"><l/>") == nil)
    }

    @Test func depthAndNumberAreBounded() {
        func nested(_ depth: Int) -> String {
            String(repeating: "<a>", count: depth) + String(repeating: "</a>", count: depth)
        }
        #expect(read(nested(S3XML.depthMax)) != nil)
        #expect(read(nested(S3XML.depthMax + 1)) == nil)
        #expect(read(nested(1_000_000)) == nil)
        #expect(read("<l>" + String(repeating: "<a/>", count: S3XML.elementsMax - 1) + "</l>") != nil)
        #expect(read("<l>" + String(repeating: "<a/>", count: S3XML.elementsMax) + "</l>") == nil)
    }

    @Test func anyBytesAreReadOrRefused() {
        var random = SeededRandom(seed: TestSeed.value)
        let pieces = [
            "<", ">", "/", "a", "</a>", "<a>", "&", ";", "amp", "#", "<!", "--", "[CDATA[", "]]>", "'", "\"", "?", " ",
        ]
        for _ in 0..<20_000 {
            let text = (0..<Int.random(in: 0...12, using: &random)).map { _ in pieces.randomElement(using: &random)! }
            guard let root = read(text.joined()) else { continue }
            #expect(!root.name.isEmpty, "\(text), seed \(TestSeed.value)")
        }
        #expect(S3XML(parsing: [0x3C, 0x61, 0x3E, 0xFF, 0x3C, 0x2F, 0x61, 0x3E]) == nil)
    }
}
