import Outgoing
import Testing

/// What calls out are made of, as text.
@Suite struct OutgoingTextTests {
    @Test func retryAfterIsSecondsOrADate() {
        let date = "Mon, 23 Nov 2026 10:00:00 GMT"
        #expect(RetryAfter.delay("120", date: nil) == .seconds(120))
        #expect(RetryAfter.delay(" 0 ", date: nil) == .zero)
        #expect(RetryAfter.delay("Mon, 23 Nov 2026 10:02:00 GMT", date: date) == .seconds(120))
        #expect(RetryAfter.delay("Sun, 22 Nov 2026 10:02:00 GMT", date: date) == .zero)
        #expect(RetryAfter.delay("Sun, 06 Nov 1994 08:49:37 GMT", date: nil) == .zero)
        #expect(RetryAfter.delay("99999999999999999999", date: nil) != nil)
        for text in ["", "-5", "1.5", "soon", "Mon, 31 Feb 2026 10:02:00 GMT", "Mon, 23 Nov 2026 10:02:00 CET"] {
            #expect(RetryAfter.delay(text, date: date) == nil, "\(text)")
        }
    }

    @Test func urlsAreCheckedAndLoopbackIsKnown() {
        for text in [
            "http://127.0.0.1:80/", "http://127.9.9.9", "http://localhost/x", "http://[::1]:1/", "https://a.example",
        ] {
            #expect(EndpointURL(text)?.isAuthenticated == true, "\(text)")
        }
        for text in [
            "http://127.0.0.1.example/", "http://127.example", "http://10.0.0.1/", "http://0177.0.0.1.example",
        ] {
            #expect(EndpointURL(text)?.isAuthenticated == false, "\(text)")
        }
        for text in [
            "", "pay.example", "ftp://a", "http://", "http://a b", "https://u:p@a", "https://a#b", "https://a:0",
            "https://a:99999", "https://{id}.example/", "https://a\u{0}", "http://127.0.0.1\\@evil.example/",
        ] { #expect(EndpointURL(text) == nil, "\(text)") }
    }
}
