"""The laboratory: a redundancy group between network namespaces, with real addresses, real leases and real cables."""
