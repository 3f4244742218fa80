import Timeline

/// Orders in words.
struct OrderWords: WatchWords {
    let openStatuses: Set<String> = ["pending"]
    let goodStatuses: Set<String> = ["paid", "closed"]

    let columns: [ListColumn] = [
        .status, ListColumn("Amount", .note("amount_minor"), isNumber: true), ListColumn("Gateway", .text("gateway")),
        .nextCheck, ListColumn("Checks", .text("check_count"), isNumber: true), .why,
    ]

    let facts: [(column: String, name: String)] = [
        ("amount_minor", "Amount"), ("gateway", "Gateway"), ("gateway_ref", "The gateway's reference"),
        ("gateway_txn_id", "Transaction"), ("gateway_state", "The gateway's word for it"), ("paid_at", "Paid"),
        ("next_check_at", "Next check"), ("last_checked_at", "Last check"), ("check_count", "Checks"),
        ("failure_count", "Failures in a row"), ("last_error", "Last error"), ("expires_at", "To be paid by"),
        ("give_up_at", "A human decides after"), ("created_at", "Created"), ("metadata", "Metadata"),
    ]

    func summary(_ row: RowFields, _ times: TimeWords) -> String? {
        row["gateway"].map { "at \($0)" }
    }

    /// The answer's state in words.
    private static let states = [
        "PAID": "paid", "NOT_PAID_YET": "not paid yet", "CLOSED": "closed without a payment", "REFUNDED": "refunded",
        "DISPUTED": "disputed", "NOT_FOUND": "it does not know this order",
        "CONFIG_ERROR": "it refused our configuration",
    ]

    func answer(_ entry: RowFields, _ times: TimeWords) -> String {
        let lane = entry["lane"] ?? "The gateway"
        guard let answer = entry.object("answer") else {
            return entry["reason"] == "CUT_OFF" ? "Older than the cut-off: not asked about" : "\(lane) was asked"
        }
        if let problem = answer["problem"] { return "\(lane) gave no usable answer: \(Self.asClause(problem))" }
        let state = answer["state"] ?? "UNKNOWN"
        var text = "\(lane): \(Self.states[state] ?? "nothing that can be relied on")"
        if state == "PAID", answer["authenticated"] == "false" { text += ", but not proved to come from it" }
        if entry["reason"] == "dry_run" { text += " (dry run: nothing was changed)" }
        return text
    }

    func evidence(_ detail: RowFields, amount: (RowFields) -> String?) -> [(name: String, text: String)] {
        let answer = detail.object("answer")
        let expected = detail.object("expected")
        var evidence: [(name: String, text: String)] = []
        func add(_ name: String, _ text: String?) {
            if let text { evidence.append((name, text)) }
        }
        /// Another amount of the answer, in the answer's currency.
        func other(_ name: String) -> String? {
            guard let minor = answer?.integer(name), let currency = answer?["currency"] else { return answer?[name] }
            return amount(
                RowFields(
                    json: .object([.init("amount_minor", .number("\(minor)")), .init("currency", .string(currency))])))
        }
        add("The order's amount", expected.flatMap(amount))
        add("The gateway asked for", other("gateway_amount_minor"))
        add("The gateway received", answer.flatMap(amount))
        add("Refunded at the gateway", other("refunded_minor"))
        add("The gateway says", answer?["state"].map { Self.states[$0] ?? $0 })
        add("Order at the gateway", answer?["order"])
        add("Our merchant", expected?["merchant"])
        add("Merchant at the gateway", answer?["merchant"])
        add("Transaction", answer?["gateway_txn_id"] ?? detail["gateway_txn_id"])
        add("It was", detail["status_before"])
        if case .array(let others)? = detail.json["also"] {
            add("Also", others.compactMap(\.string).map { reason($0).title }.joined(separator: " "))
        }
        return evidence
    }

    func change(_ entry: RowFields, ordinal: Int64?, _ times: TimeWords) -> String? {
        let lane = entry["lane"] ?? "the gateway"
        let answer = entry.object("answer")
        let found = times.model(entry.time("at")).flatMap { $0["text"] as? String } ?? ""
        let check = ordinal.map { " on the \(CountWords.ordinal($0)) check" } ?? ""
        switch entry["status_after"] {
        case "paid" where entry["status_before"] != "paid":
            if let paidAt = answer?.time("paid_at") {
                return "Paid at \(lane) \(times.text(paidAt)), found \(found)\(check), marked paid"
            }
            return "Paid at \(lane), found \(found)\(check), marked paid"
        case "closed" where entry["status_before"] != "closed":
            if answer?["state"] == "NOT_FOUND" {
                return "\(lane) never knew this order: found \(found)\(check), marked closed"
            }
            return "Closed at \(lane) without a payment, found \(found)\(check), marked closed"
        default: return nil
        }
    }

    private static func asClause(_ sentence: String) -> String {
        sentence.hasSuffix(".") ? String(sentence.dropLast()) : sentence
    }

    let reasons: [String: ReasonWords] = [
        "AMOUNT_MISMATCH": ReasonWords(
            "The amounts differ.", "The customer paid, but the gateway's amount is not the order's.",
            "Compare both amounts below. Refund or collect the difference, then mark it paid with the transaction, or closed."
        ),
        "CURRENCY_MISMATCH": ReasonWords(
            "The currencies differ.", "The customer paid in another currency than the order's.",
            "Find out which one was shown to the customer, then mark it paid with the transaction, or refund and close."
        ),
        "ORDER_MISMATCH": ReasonWords(
            "The payment names another order.", "The gateway's answer is about an order of another number.",
            "Check the order's reference at the gateway. Do not mark it paid before that is clear."),
        "MERCHANT_MISMATCH": ReasonWords(
            "The payment went to another merchant.", "The gateway's answer names an account that is not ours.",
            "Check the gateway's configuration and the order's reference."),
        "DUPLICATE": ReasonWords(
            "Another order holds this payment.", "The same transaction already settled another order.",
            "Look at both orders: one of them may have to be refunded or closed."),
        "PARTIAL": ReasonWords(
            "Only a part was paid.", "The gateway received less than it asked for.",
            "Collect the rest or refund the part, then mark it paid with the transaction, or closed."),
        "OVERPAID": ReasonWords(
            "Too much was paid.", "The gateway received more than it asked for.",
            "Refund the difference, then mark it paid with the transaction."),
        "REFUNDED": ReasonWords(
            "It was paid and refunded.", "The money went back to the customer, at least in part.",
            "If the refund is right, close the order."),
        "DISPUTED": ReasonWords(
            "The customer disputes the payment.", "A dispute or chargeback is open at the gateway.",
            "Answer the dispute at the gateway, then decide."),
        "PAID_LATE": ReasonWords(
            "Paid after it was cancelled or closed.",
            "The order was cancelled or closed here, and the customer paid all the same.",
            "Refund the payment, or deliver and mark it paid with the transaction."),
        "GAVE_UP": ReasonWords(
            "No decision in time.", "Nothing that the gateway said up to the deadline decides this order.",
            "Look it up at the gateway. A payment that is found later still marks it paid by itself when it is checked."
        ),
        "NOT_FOUND_AFTER_GRACE": ReasonWords(
            "The gateway does not know it.",
            "Up to the deadline the gateway did not know this order, and could not prove who answered.",
            "If no payment was ever begun, close it; else check its reference."),
        "PAID_BUT_ABSENT": ReasonWords(
            "Paid here, not there.",
            "The gateway no longer shows the payment that marked this order paid. It stays paid.",
            "Ask the gateway what became of the transaction."),
    ]
}
