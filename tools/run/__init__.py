"""`./build.sh run`: a redundancy group on this machine, to watch and to hurt."""
