"""A person's erasure: asked for on `petla.config`, done by each service in its stores, told in a signed receipt."""
