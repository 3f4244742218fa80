-- Makes the partitions of checks ahead and forgets old ones; cheap when there is nothing to do.
SELECT reconciled.maintain_checks();
