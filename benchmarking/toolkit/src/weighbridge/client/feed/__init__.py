"""The feed: signed standings of artifacts, which every gate reads; heads, proofs and answers, without a server."""
