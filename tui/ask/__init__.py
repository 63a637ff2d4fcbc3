"""`yunliao ask`: one question without a screen, its answer on stdout."""
