-- Borders of the row rules, one to a row: what an outsider's reading of them made of each is in expected.csv.
SET timezone = 'UTC';
INSERT INTO public.multitalk_jobs
 (job_id, status, timestamp_submitted, timestamp_completed, filename, image_filename, audio_filename, width, height, trim_to_audio, comfy_url, error_message, video_url, created_at) VALUES
 ('a01 prefix in capitals, folder is none','completed','2025-09-10','2025-09-10','img2img_/WANVIDEO2_1_MULTITALK_MULTIPLE-1.mp4',NULL,NULL,1,1,true,'http://c',NULL,NULL,'2025-09-10'),
 ('a02 nearly a prefix','completed','2025-09-10',NULL,'xwan_1.mp4','a.mp4.png','a.mp3,b.mp3',1,1,true,'http://c///',NULL,NULL,'2025-09-10'),
 ('a03 two names','completed','2025-09-10',NULL,'wan.mp4','clip.mp4','a.mp3, ',1,1,true,'/',NULL,NULL,'2025-09-10'),
 ('a04 a video','error','2025-09-10',NULL,'','dir\clip.M4V','x multiple_masks_audio',1,1,true,'http://c','Error: Error: boom',NULL,'2025-09-10'),
 ('a05 not quite a video','error','2025-09-10',NULL,NULL,'clip.mp4 ','voz.mp3',1,1,true,'http://c','Error: Job timed out - likely cancelled or failed',NULL,'2025-09-10'),
 ('a06 an image by its name','completed','2025-09-10',NULL,'final.JPeG',NULL,NULL,1,1,false,'http://c',NULL,NULL,'2025-09-10'),
 ('a07 an image by its object','completed','2025-09-10',NULL,'final.mp4',NULL,'voz.mp3',1,1,true,'http://c',NULL,'https://abc.supabase.co/storage/v1/object/public/b/x%2Epng?download=a.mp4#f','2025-09-10'),
 ('a08 not an image by its object','completed','2025-09-10',NULL,'final.mp4',NULL,'voz.mp3',1,1,true,'http://c',NULL,'https://abc.supabase.co/storage/v1/object/public/b/x.png/?f=x.png','2025-09-10'),
 ('a09 no audio: the first moment','error','2025-11-09',NULL,NULL,NULL,NULL,512,512,false,'http://c','no',NULL,'2025-11-09'),
 ('a10 no audio: the moment before','error','2025-11-08 23:59:59.999999',NULL,NULL,NULL,'',512,512,false,'http://c','no',NULL,'2025-11-09'),
 ('a11 no audio: another zone','error','2025-11-09 00:00+02',NULL,NULL,NULL,NULL,512,512,false,'http://c','no',NULL,'2025-11-09'),
 ('a12 no audio: another size','error','2025-11-10',NULL,NULL,NULL,NULL,512,511,false,'http://c','no',NULL,'2025-11-09'),
 ('a13 nothing','error','2025-11-10',NULL,NULL,NULL,NULL,512,512,true,'http://c',' Error: no',NULL,'2025-11-09'),
 ('b01 at once','completed','2025-09-10','2025-09-10','f.mp4',NULL,'a',1,1,true,'http://c',NULL,NULL,NULL),
 ('b02 a day','completed','2025-09-10','2025-09-11','f.mp4',NULL,'a',1,1,true,'http://c',NULL,NULL,'2025-09-10'),
 ('b03 more than a day','completed','2025-09-10','2025-09-11 00:00:00.000001','f.mp4',NULL,'a',1,1,true,'http://c',NULL,NULL,'2025-09-10'),
 ('b04 before','completed','2025-09-10','2025-09-09 23:59:59.999999','f.mp4',NULL,'a',1,1,true,'http://c',NULL,NULL,'2025-09-10'),
 ('b05 floored','completed','2025-09-10','2025-09-10 00:00:59.999999','f.mp4',NULL,'a',1,1,true,'http://c',NULL,NULL,'0001-01-01'),
 ('b06 never','completed','2025-09-10','infinity','f.mp4',NULL,'a',1,1,true,'http://c',NULL,NULL,'294276-12-31 23:59:59.999999'),
 ('b07 stale with an end','processing','2025-09-10','2025-09-10 00:01','f.mp4',NULL,'a',1,1,true,'http://c','Job exceeded maximum runtime (4 hours)',NULL,'2025-09-10'),
 ('b08 young','submitted',now(),NULL,'f.mp4',NULL,'a',1,1,true,'http://c',NULL,NULL,now() - interval '23 h 59 m'),
 ('b09 no longer young','submitted',now(),NULL,NULL,NULL,'a',1,1,true,'http://c',NULL,NULL,now() - interval '24 h 1 s'),
 ('c01 a bare question mark','completed','2025-09-10',NULL,'f.mp4',NULL,'a',1,1,true,'http://c',NULL,'?','2025-09-10'),
 ('c02 a scheme in capitals','completed','2025-09-10',NULL,'f.mp4',NULL,'a',1,1,true,'http://c',NULL,'HTTPS://abc.supabase.co/storage/v1/object/sign/multitalk-videos/x.PNG?token=e','2025-09-10'),
 ('c03 a scheme in capitals','completed','2025-09-10',NULL,'f.mp4',NULL,'a',1,1,true,'http://c',NULL,'Http://c/view?filename=a.png','2025-09-10'),
 ('c04 a scheme in capitals','completed','2025-09-10',NULL,'f.mp4',NULL,'a',1,1,true,'http://c',NULL,'Blob:https://abc.supabase.co/storage/v1/object/public/b/c.png','2025-09-10'),
 ('c05 a scheme in capitals','completed','2025-09-10',NULL,'f.mp4',NULL,'a',1,1,true,'http://c',NULL,'DATA:Image/PNG;BASE64,iVBORw0KGgo=','2025-09-10'),
 ('c06 broken percent signs','completed','2025-09-10',NULL,'f.mp4',NULL,'a',1,1,true,'http://c',NULL,'https://abc.supabase.co/storage/v1/object/public/multitalk-videos/%zz/a.png','2025-09-10'),
 ('c07 a name in the query','completed','2025-09-10',NULL,'f.mp4',NULL,'a',1,1,true,'http://c',NULL,'https://e.org/p?u=/storage/v1/object/public/b/c.png','2025-09-10'),
 ('c08 a view without a name','completed','2025-09-10',NULL,'f.mp4',NULL,'a',1,1,true,'http://c',NULL,'https://c/view?filename=&subfolder=x&type=output','2025-09-10'),
 ('c09 signed in','completed','2025-09-10',NULL,'f.mp4',NULL,'a',1,1,true,'http://c',NULL,'https://abc.supabase.co/storage/v1/object/authenticated/b/a.mp4','2025-09-10'),
 ('c10 drawn anew','completed','2025-09-10',NULL,'f.mp4',NULL,'a',1,1,true,'http://c',NULL,'https://abc.supabase.co/storage/v1/render/image/public/b/a.png','2025-09-10'),
 ('','completed','2025-09-10',NULL,NULL,NULL,'a',1,1,true,'',NULL,NULL,'2025-09-10'),
 ('shared','completed','2025-09-10',NULL,'a/',NULL,'a',1,1,true,'http://c',NULL,NULL,'2025-09-10'),
 ('legacy:multitalk_jobs:','error','2025-09-10',NULL,NULL,NULL,'a',1,1,true,'http://c',NULL,NULL,'2025-09-10'),
 ('legacy:datasets:da000000-0000-4000-8000-00000000000a','error','2025-09-10',NULL,NULL,NULL,'a',1,1,true,'http://c',NULL,NULL,'2025-09-10');
INSERT INTO public.style_transfers
 (id, created_at, source_image_url, style_image_url, prompt, result_image_url, processing_time_seconds, user_ip, status, comfyui_prompt_id, error_message) VALUES
 ('51000000-0000-4000-8000-00000000000a','2025-09-06','?','','','?',86400,'UNKNOWN','completed','SHARED',NULL),
 ('51000000-0000-4000-8000-00000000000b','2025-09-06','data:,','https://abc.supabase.co/storage/v1/object/sign/b/a.png?download=&token=e','','',86401,NULL,'error','shared','Job exceeded maximum runtime (4 hours)'),
 ('51000000-0000-4000-8000-00000000000c','infinity','blob:null','https://abc.supabase.co/storage/v1/object/public/multitalk-videos/a.mp4?','','https://c/prefix/view?type=temp&filename=a%20b.png',0,NULL,'Completed',' ',''),
 ('51000000-0000-4000-8000-00000000000d','2025-09-06','BLOB:null','x.png','',NULL,NULL,NULL,'failed','','Error: '),
 ('51000000-0000-4000-8000-00000000000e','2025-09-06','x','x','','https://c/view?filename=a.png',NULL,NULL,'cancelled','legacy:edited_images:ed000000-0000-4000-8000-00000000000a',NULL);
INSERT INTO public.edited_images
 (id, created_at, source_image_url, prompt, result_image_url, workflow_name, model_used, processing_time_seconds, status) VALUES
 ('ed000000-0000-4000-8000-00000000000a','2025-09-02','https://abc.supabase.co/storage/v1/object/public/multitalk-videos/a.webp?','','blob:http://localhost/1','styletransfer','Error: x',-1,'completed'),
 ('ed000000-0000-4000-8000-00000000000b','2025-09-02','x','','https://abc.supabase.co/storage/v1/object/public/b/a.png??','StyleTransfer','Job timed out - likely cancelled or failed',NULL,'failed'),
 ('ed000000-0000-4000-8000-00000000000c','2025-09-02','x','',NULL,'StyleTransfer ','Error: Job timed out - likely cancelled or failed',NULL,'failed'),
 ('ed000000-0000-4000-8000-00000000000d',now(),'x','','','image-edit',NULL,NULL,'pending');
INSERT INTO public.datasets (id, name, character_trigger, settings, created_at) VALUES
 ('da000000-0000-4000-8000-00000000000a','','','[]','2025-08-29'),
 ('da000000-0000-4000-8000-00000000000b','','','{}',NULL),
 ('da000000-0000-4000-8000-00000000000c','','','{}',NULL),
 ('da000000-0000-4000-8000-00000000000d','','','{}','2025-08-29');
INSERT INTO public.data (id, dataset_id, image_url, image_name, caption, created_at) VALUES
 ('d1000000-0000-4000-8000-00000000000a','da000000-0000-4000-8000-00000000000c','blob:x','img10.png','x Error generating caption','2025-08-29'),
 ('d1000000-0000-4000-8000-00000000000b','da000000-0000-4000-8000-00000000000c','?','img2.png','Error generating caption','2025-08-29'),
 ('d1000000-0000-4000-8000-00000000000c','da000000-0000-4000-8000-00000000000c','https://abc.supabase.co/storage/v1/object/sign/b/a.png?token=e','','comfyui processing failed: x',NULL),
 ('d1000000-0000-4000-8000-00000000000d','da000000-0000-4000-8000-00000000000d','https://e.org/x.png','','ComfyUI processing failed:','infinity'),
 ('d1000000-0000-4000-8000-00000000000e','da000000-0000-4000-8000-00000000000d','HTTP://c/view?filename=a.png','','','2025-08-29');
