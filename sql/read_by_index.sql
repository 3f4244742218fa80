-- For the transaction that counts to a bound: makes the planner read as much as is counted, in the order of an index. From a
-- guess of few rows it would rather collect and sort all that match, and be wrong by millions in a lane that has most of them.
-- Compiling such a statement takes longer than running it.
--
-- Result: one row, of no use.
SELECT set_config('enable_bitmapscan', 'off', true), set_config('enable_seqscan', 'off', true), set_config('jit', 'off', true);
