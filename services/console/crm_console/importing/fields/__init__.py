"""What can be imported: per kind its fields, their types, and the headers they are known by."""
