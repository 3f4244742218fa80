import Testing

@testable import Deliveries

@Suite struct WebhookSecretTests {
    /// The example of Standard Webhooks' own libraries.
    @Test func signsLikeTheReferenceImplementations() throws {
        let secret = try #require(WebhookSecret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"))
        let signature = secret.signature(
            id: "msg_p5jXN8AQM9LWM0D4loKWxJek", timestamp: 1_614_265_330, body: #"{"test": 2432232314}"#)
        #expect(signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")
    }

    @Test func theWordBeforeTheKeyMayBeLeftOut() throws {
        let bare = try #require(WebhookSecret("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"))
        let full = try #require(WebhookSecret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"))
        #expect(bare.signature(id: "a", timestamp: 1, body: "") == full.signature(id: "a", timestamp: 1, body: ""))
    }

    @Test(arguments: [
        "", "whsec_", "whsec_not base64", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS", "whsec_c2hvcnQ=", "sk_test",
        "whsec_" + String(repeating: "A", count: 88),
    ])
    func whatIsNoSecretIsRefused(text: String) {
        #expect(WebhookSecret(text) == nil)
    }

    @Test func severalAreSeparatedByBlanks() {
        #expect(WebhookSecret.list("\(Scene.secret) \(Scene.otherSecret)")?.count == 2)
        #expect(WebhookSecret.list("\(Scene.secret)\n\(Scene.otherSecret)\n")?.count == 2)
        #expect(WebhookSecret.list("\(Scene.secret) x") == nil)
        #expect(WebhookSecret.list(" ") == nil)
    }

    @Test func isNeverShown() throws {
        let secret = try #require(WebhookSecret(Scene.secret))
        var dumped = ""
        dump(secret, to: &dumped)
        #expect("\(secret)" == "<secret>" && !dumped.contains("SymmetricKey"))
    }
}
