// Files in, however they come: dropped anywhere on the window, pasted, or chosen; folders walked, loose pictures packed into one archive.

export const isPicture = name => /\.(jpe?g|png|webp|gif|bmp|tiff?)$/i.test(name);
export const isArchive = name => /\.(zip|tar|tgz|tar\.gz)$/i.test(name);
export const isMask = name => /_mask\.\w+$/i.test(name);

/** What nobody means to send: hidden files, folders of macOS, thumbnails of Windows. */
export const isMeant = ({ path }) => !/(^|\/)(\.|__MACOSX\/|Thumbs\.db)/.test(path);

export const slug = text =>
  text
    .toLowerCase()
    .normalize('NFKD')
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '')
    .slice(0, 60) || 'my-model';
export const nameOfArchive = name => slug(name.replace(/\.(zip|tar|tgz|tar\.gz)$/i, ''));

/** Loose files as one archive, named after their folder. */
export async function packed(files) {
  const { downloadZip } = await import('./vendor/client-zip.js');
  const zip = downloadZip(files.map(f => ({ name: f.path, lastModified: new Date(f.file.lastModified), input: f.file })));
  const folder = files[0].path.includes('/') ? files[0].path.split('/')[0] : '';
  return { blob: await zip.blob(), name: `${folder || 'pictures'}.zip` };
}

async function walked(items) {
  const files = [];
  async function walk(entry, path) {
    if (entry.isFile) files.push({ file: await new Promise((resolve, reject) => entry.file(resolve, reject)), path: path + entry.name });
    else {
      const reader = entry.createReader();
      for (let batch; (batch = await new Promise((resolve, reject) => reader.readEntries(resolve, reject))).length;)
        for (const child of batch) await walk(child, `${path}${entry.name}/`);
    }
  }
  const entries = [...items].map(item => item.webkitGetAsEntry?.()).filter(Boolean);
  for (const entry of entries) await walk(entry, '');
  return files;
}

/** The whole window takes a drop; a paste does the same. */
export function onFiles(take) {
  let over = 0;
  addEventListener('dragenter', e => { e.preventDefault(); over++; document.body.classList.add('dragging'); });
  addEventListener('dragleave', () => { if (--over <= 0) document.body.classList.remove('dragging'); });
  addEventListener('dragover', e => e.preventDefault());
  addEventListener('drop', async e => {
    e.preventDefault();
    over = 0;
    document.body.classList.remove('dragging');
    const plain = [...e.dataTransfer.files].map(file => ({ file, path: file.name }));
    const files = await walked(e.dataTransfer.items);
    take(files.length ? files : plain);
  });
  addEventListener('paste', e => {
    const files = [...(e.clipboardData?.files ?? [])];
    if (files.length) take(files.map((file, i) => ({ file, path: file.name === 'image.png' ? `pasted-${i + 1}.png` : file.name })));
  });
}
