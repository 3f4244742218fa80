extension Int64 {
    /// The sum, or the bound that it would go beyond: sizes and times are whatever a file’s owner or a store says.
    func addingSaturated(_ other: Int64) -> Int64 {
        let (sum, overflows) = addingReportingOverflow(other)
        return overflows ? (other < 0 ? .min : .max) : sum
    }

    /// As `addingSaturated`, of the product.
    func multipliedSaturated(by factor: Int64) -> Int64 {
        let (product, overflows) = multipliedReportingOverflow(by: factor)
        return overflows ? ((self < 0) == (factor < 0) ? .max : .min) : product
    }
}
