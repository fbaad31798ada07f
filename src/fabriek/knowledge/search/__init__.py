"""Finding what is here: words, phrases and filters; what a word also stands for; ranking; and nothing that the asker may not know of."""
