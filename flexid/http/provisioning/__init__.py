"""Remote provisioning of Linphone clients."""
