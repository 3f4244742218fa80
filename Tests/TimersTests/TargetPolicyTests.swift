import Outgoing
import Testing
import Timers

@Suite struct TargetPolicyTests {
    private func verdict(_ hosts: [String], _ url: String) throws -> TargetPolicy.Verdict {
        try #require(TargetPolicy(allowedHosts: hosts)).verdict(on: try #require(EndpointURL(url)))
    }

    private static let special = [
        "127.0.0.1", "127.8.9.1", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.0.1", "169.254.169.254",
        "100.64.0.1", "0.0.0.0", "255.255.255.255", "224.0.0.1", "192.0.0.1", "198.18.0.1", "[::1]", "[::]",
        "[fe80::1]", "[febf::1]", "[fc00::1]", "[fd12:3456::1]", "[ff02::1]", "[::ffff:127.0.0.1]",
        "[::ffff:169.254.169.254]", "[::ffff:a9fe:a9fe]", "[64:ff9b::a9fe:a9fe]", "[2002:7f00:1::]", "[2001:db8::1]",
        "[2001::1]", "[::127.0.0.1]", "localhost", "LOCALHOST", "localhost.", "a.localhost", "2130706433",
        "0x7f000001", "0x7f.1", "127.1", "0177.0.0.1", "017700000001", "169.254.169.254.", "1.2.3.0x4",
    ]

    @Test(arguments: special) func patternsNeverCoverWhatOnlyThisMachineReaches(host: String) throws {
        #expect(try verdict(["*"], "http://\(host)/") == .forbidden)
        #expect(try verdict(["*", "*.localhost", "*.example.com"], "http://\(host):8080/x") == .forbidden)
        #expect(TargetPolicy.everywhere.verdict(on: try #require(EndpointURL("http://\(host)/"))) == .allowed)
    }

    @Test(arguments: ["93.184.216.34", "172.32.0.1", "192.169.0.1", "[2606:4700::1111]", "[::ffff:93.184.216.34]"])
    func publicAddressesAreCoveredByTheStar(host: String) throws {
        #expect(try verdict(["*"], "http://\(host)/") == .allowed)
        #expect(try verdict(["*.example.com"], "http://\(host)/") == .forbidden)
    }

    @Test func aNameThatAPatternCoversIsHeldToItsAddress() throws {
        #expect(try verdict(["*"], "https://example.com/") == .allowedIfPublic)
        #expect(try verdict(["*.example.com"], "https://a.b.Example.com/") == .allowedIfPublic)
        #expect(try verdict(["*.example.com"], "https://example.com/") == .forbidden)
        #expect(try verdict(["*.example.com"], "https://badexample.com/") == .forbidden)
        #expect(try verdict(["*.example.com"], "https://a.example.com.evil.net/") == .forbidden)
    }

    @Test func whatIsListedByItselfIsAllowedWhereverItIs() throws {
        for host in ["localhost", "10.0.0.5", "shop.internal", "::1"] {
            let url = host == "::1" ? "http://[::1]:9/" : "http://\(host):9/"
            #expect(try verdict([host], url) == .allowed)
            #expect(try verdict(["other", host.uppercased()], url) == .allowed)
            #expect(try verdict([], url) == .forbidden)
        }
        #expect(try verdict(["[::1]"], "http://[::1]/") == .allowed)
        #expect(try verdict(["shop.internal"], "http://shop.internal./") == .allowed)
    }

    @Test(arguments: ["", " ", "a b", "http://x", "*.", "**", "*.*.com", "a/b", "a:80", "127.1", "0x7f.1", "a..b"])
    func whatIsNoHostIsNoPattern(text: String) {
        #expect(TargetPolicy(allowedHosts: ["ok", text]) == nil)
    }
}
