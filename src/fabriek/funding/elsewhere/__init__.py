"""What projects used at other sites, told by their accounts: `foreign` jobs, the `bridge` that books them."""
