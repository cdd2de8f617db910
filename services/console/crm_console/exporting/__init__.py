"""Events, facts and answers as files for other programs; a sidecar says what each is."""
