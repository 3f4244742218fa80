-- Makes the partitions of checks ahead; cheap when there is nothing to do.
SELECT reconciled.make_check_partitions();
