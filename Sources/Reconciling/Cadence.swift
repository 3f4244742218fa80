/// When a row that is not there yet is asked about again: young rows often, old rows seldom.
///
/// The steps are laid end to end from the row's anchor; the delay is the step that the row's age falls in, and the last
/// one repeats. Ten percent of jitter either way keeps rows that were born together from being asked about together.
package struct Cadence: Sendable {
    private let steps: [Duration]

    /// Configuration checks that there is at least one step and that each is above zero; anything else is a
    /// programmer's error.
    package init(_ steps: [Duration]) {
        precondition(!steps.isEmpty, "a cadence needs a step")
        precondition(steps.allSatisfy { $0 > .zero }, "a cadence's steps are above zero")
        self.steps = steps
    }

    /// The delay of a row of this age; an anchor in the future counts as age zero.
    func delay(age: Duration, using random: inout some RandomNumberGenerator) -> Duration {
        step(age: age) * Double.random(in: 0.9...1.1, using: &random)
    }

    /// The step before jitter.
    package func step(age: Duration) -> Duration {
        var end = Duration.zero
        for step in steps {
            end += step
            if age < end { return step }
        }
        return steps[steps.count - 1]
    }
}
