import Testing

@testable import Uploads

@Suite struct PartNameTests {
    @Test(arguments: [PartName("abc", token: 7), PartName("abc", token: 7, origin: 3)])
    func namesAreReadAsTheyAreWritten(name: PartName) {
        #expect(PartName(name.text) == name)
        #expect(name.isVouchedFor(by: 7))
        #expect(name.isVouchedFor(by: 3) == (name.origin == 3))
        #expect(!name.isVouchedFor(by: 1))
    }

    @Test(arguments: [
        "", ".part", "abc.part", "abc.x.part", "abc.1.x.part", "abc.1.2.3.part", "abc.1", "abc.1.part.old",
    ])
    func whatIsNoPartIsLeftAlone(text: String) {
        #expect(PartName(text) == nil)
    }
}
