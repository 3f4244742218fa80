import JSON

extension OrderInput {
    /// What a JSON object may hold, as JSON Schema.
    public static let schema = InputSchema.object(
        [
            ("id", InputSchema.text), ("gateway", InputSchema.requiredLane), ("gateway_ref", InputSchema.text),
            ("amount_minor", InputSchema.required(InputSchema.integer(1...Int64.max))),
            ("currency", InputSchema.required(InputSchema.choice(Currency.codes))),
            ("status", InputSchema.choice(["pending", "cancelled", "closed"])), ("created_at", InputSchema.time),
            ("expires_at", InputSchema.time), ("give_up_at", InputSchema.time),
            ("next_check_at", InputSchema.nextCheckAt), ("metadata", InputSchema.metadata),
        ],
        required: ["gateway", "amount_minor", "currency"],
        example: #"{"gateway":"stripe-eu","gateway_ref":"pi_3Nabc","amount_minor":1999,"currency":"EUR"}"#)
}
