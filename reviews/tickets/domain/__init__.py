"""Pure rules of tickets: what moves mean, which route takes a ticket, and which values its fields hold."""
