// What may be trained: the settings that each kind of subject begins with, and its sign.
import { svg } from './app.js';

export const kinds = {
  person: {
    use_face_detection_instead: true,
    caption_prefix: 'a photo of TOK',
    sample_prompts: 'a photo of TOK|TOK in a garden|an oil painting of TOK|TOK on the moon',
  },
  thing: { caption_prefix: 'a photo of TOK', sample_prompts: 'a photo of TOK|TOK on the beach|an oil painting of TOK|TOK on the moon' },
  style: {
    crop_based_on_salience: false, caption_prefix: 'in the style of TOK',
    sample_prompts: 'a castle in the style of TOK|a cat in the style of TOK|a portrait in the style of TOK|a street in the style of TOK',
  },
  other: { sample_prompts: 'a photo of TOK|TOK on the beach|an oil painting of TOK|TOK on the moon' },
};

export const icons = {
  person: svg`<circle cx="24" cy="16" r="8"></circle><path d="M8 44c0-11 7-17 16-17s16 6 16 17z"></path>`,
  thing: svg`<path d="M12 20l-3-12 9 6h12l9-6-3 12c2 12-4 20-12 20S10 32 12 20z"></path>`,
  style: svg`<path d="M6 40c8-2 4-14 14-14 8 0 8 10 0 12-5 2-10 3-14 2zM22 24L40 6l3 3-18 18z"></path>`,
  other: svg`<path d="M24 5l5 13 14 1-11 9 4 14-12-8-12 8 4-14L5 19l14-1z"></path>`,
};

/** What a kind sets, the trigger word put in; every kind keeps its checkpoints. */
export const presetOf = (kind, word) =>
  Object.fromEntries(
    Object.entries({ ...kinds[kind], keep_checkpoints: true }).map(([name, value]) => [
      name,
      typeof value === 'string' ? value.replaceAll('TOK', word) : value,
    ]),
  );

/** What shapes pictures, masks and captions: another value wants another look at them. */
export const settled = [
  'resolution',
  'mask_target_prompts',
  'crop_based_on_salience',
  'use_face_detection_instead',
  'clipseg_temperature',
  'token_string',
  'caption_prefix',
];

/** Words that the base model knows well: a subject called so fights against what they mean already. */
export const ordinary = new Set(
  (
    'cat dog man woman person boy girl photo picture style art house car tree flower bird horse baby face portrait ' +
    'girlfriend boyfriend toy book ' +
    'city sky sea sun moon me my the a'
  ).split(' '),
);
