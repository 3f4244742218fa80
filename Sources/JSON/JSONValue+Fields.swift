extension JSONValue {
    /// A row's object as it is stored: a null is as good as absent, but for `next_check_at`, which it puts to rest.
    package var withoutNullFields: JSONValue {
        guard case .object(let members) = self else { return self }
        return .object(members.filter { !$0.value.isNull || $0.name == "next_check_at" })
    }
}
