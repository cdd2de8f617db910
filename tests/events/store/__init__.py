"""The store's port, one suite on both adapters; then what each of them alone can get wrong."""
