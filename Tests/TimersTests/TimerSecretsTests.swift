import JSON
import Testing

@testable import Timers

@Suite struct TimerSecretsTests {
    @Test(arguments: [
        ("https://shop.example/tick", "https://shop.example/tick"), ("http://[::1]:80", "http://[::1]:80"),
        ("https://shop.example/a@b/tick?key=k3y", "https://shop.example/a@b/tick?key=…"),
        ("https://shop.example?a=1&b&c=&=k3y&", "https://shop.example?a=…&…&c=…&=…&"),
        ("https://shop.example/?k3y?a=k3y=", "https://shop.example/?k3y?a=…"),
        ("https://user:k3y@shop.example/tick", "https://…@shop.example/tick"),
        ("https://k3y@k3y@shop.example?k3y@x", "https://…@shop.example?…"),
        ("https://shop.example/tick#k3y?a=k3y", "https://shop.example/tick#…"),
        ("https://shop.example/?ü=k3y", "…"),
        ("https://shop.example:8443/a@b", "https://shop.example:8443/a@b"), ("http://[::1]/a@b", "http://[::1]/a@b"),
        // What should have been encoded ends the authority too soon.
        ("https://user:k3y/k3y@shop.example/tick", "https://…@shop.example/tick"),
        ("https://a@user:k3y/k3y@shop.example", "https://…@shop.example"),
        ("https://user:k3y?k3y@shop.example/", "https://…?…"), ("https://user:k3y#k3y@shop.example", "https://…#…"),
    ])
    func whatAURLCarriesIsMarked(url: String, redacted: String) {
        #expect(TimerSecrets.redacted(url: url) == redacted)
    }

    @Test func onlyTheCallIsRedacted() throws {
        let row = #"{"id":"a?b=c","url":"https://x/?a=k3y","headers":{"X-A":"k3y","b":"k3y"},"body":"k3y","n":1.0}"#
        #expect(TimerSecrets.redacted(try JSONValue(parsing: row)).text == row.replacing("k3y", with: "…"))
        let bare = #"{"url":"https://x/","headers":null,"body":null}"#
        #expect(TimerSecrets.redacted(try JSONValue(parsing: bare)).text == bare)
    }
}
