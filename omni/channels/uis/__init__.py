"""UIS (CoMagic): notices by templates that an administrator pastes into its account."""
