import JSON
import Timeline

extension Answer {
    /// The answer as `checks.answer` and `history.answer` keep it: column names, no secrets, no personal data.
    public var json: String { jsonObject.text }

    var jsonObject: JSONObjectText {
        var object = JSONObjectText()
        object.add("state", state.rawValue)
        object.add("authenticated", authenticated)
        object.add("gateway_state", gatewayState)
        object.add("amount_minor", amountReceived.value)
        object.add("gateway_amount_minor", gatewayAmount)
        object.add("currency", currency.value)
        object.add("order", orderReference.value)
        object.add("merchant", merchant.value)
        object.add("gateway_txn_id", txn)
        object.add("paid_at", paidAt?.description)
        object.add("refunded_minor", refundedMinor)
        if isDisputed { object.add("disputed", true) }
        object.add("unreadable", unreadableFields)
        if let failure {
            object.add("failure", failure.kind.rawValue)
            object.add("http_status", failure.status.map(Int64.init))
            object.add("retry_after_ms", failure.retryAfter?.wholeMilliseconds)
            object.add("problem", failure.problem)
        }
        return object
    }

    private var unreadableFields: [String] {
        var names: [String] = []
        if amountReceived == .unreadable { names.append("amount") }
        if currency == .unreadable { names.append("currency") }
        if orderReference == .unreadable { names.append("order") }
        if merchant == .unreadable { names.append("merchant") }
        return names
    }
}
