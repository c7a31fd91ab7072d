"""Sources of data sets: tables, folders of images and sounds, tokenizers, and functions of the user."""
