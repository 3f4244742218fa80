-- What the demo has done so far.
--
-- Result: checks settled, those without a usable answer, those overtaken by the application.
SELECT
    (SELECT count(*) FROM reconciled.checks AS c WHERE c.watch = 'orders') AS checks,
    (SELECT count(*) FROM reconciled.checks AS c WHERE c.watch = 'orders' AND c.verdict = 'failed') AS failed,
    (SELECT count(*) FROM reconciled.history AS h WHERE h.watch = 'orders' AND h.verdict = 'overtaken') AS overtaken;
